// The side of the client for line_driver.py: it reads requests and answers with responses and errors.
//
//   javac -d built Driver.java Client.java && python3 line_driver.py NAME java -cp built Driver [CLASS]
//
// CLASS, by default Client, implements `Fetcher`.  Nothing here has to be changed for another client.

import java.io.BufferedOutputStream;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

public class Driver {
    /** A client: no proxy, redirect, second attempt or decoding. */
    public interface Exchanger {
        String version();

        /** What it can do in a session, with spaces between; null if it takes only a GET, which is all that `asked` has then. */
        default String features() {
            return null;
        }

        Response exchange(Asked asked) throws Throwable;

        /** Closes what the exchanges of a case have opened. */
        default void release() throws Exception {}
    }

    /** What the client is asked to do. */
    public static class Asked {
        public final String method;
        public final String url;
        /** Names and values of the fields that the caller adds. */
        public final List<String[]> fields = new ArrayList<>();
        /** Null for a request without content. */
        public final byte[] body;
        /** Whether the content is given in pieces that the client cannot have again. */
        public final boolean streamed;
        /** Whether the client waits for a 100 before the content. */
        public final boolean expectContinue;
        /** `read`, `part` (`amount` bytes, then close the response), `drop` (let go of it unread) or `timeout`. */
        public final String consume;
        public final int amount;
        public final int milliseconds;

        Asked(String line, InputStream rest) throws IOException {
            String[] words = (line.contains(" ") ? line : "GET " + line + " 0 -1 read 0 5000 -").split(" ");
            method = words[0];
            url = words[1];
            for (String field : text(rest.readNBytes(Integer.parseInt(words[2]))).split("\n")) {
                if (!field.isEmpty()) {
                    fields.add(field.split(": ", 2));
                }
            }
            body = words[3].equals("-1") ? null : rest.readNBytes(Integer.parseInt(words[3]));
            consume = words[4];
            amount = Integer.parseInt(words[5]);
            milliseconds = Integer.parseInt(words[6]);
            streamed = words[7].equals("streamed");
            expectContinue = words[7].equals("expect");
        }

        /** Returns what is read of `content`, which is closed; null if it is dropped. */
        public byte[] taken(InputStream content) throws IOException {
            if (consume.equals("drop")) {
                return null;
            }
            try (InputStream open = content) {
                return consume.equals("part") ? open.readNBytes(amount) : open.readAllBytes();
            }
        }
    }

    /** What a client shows of a response; a part that it does not report stays null. */
    public static class Response {
        public Integer status;
        public String reason;
        public final StringBuilder fields = new StringBuilder();
        /** Null if it was dropped. */
        public byte[] content = new byte[0];

        public void field(String name, String value) {
            fields.append('\n').append(oneLine(name)).append(": ").append(value == null ? "" : oneLine(value));
        }
    }

    static String oneLine(Object text) {
        return String.valueOf(text).replaceAll("[\r\n\t]", " ");
    }

    static void answer(OutputStream answers, Response response) throws IOException {
        byte[] head = ((response.reason == null ? "\0" : oneLine(response.reason)) + response.fields)
                .getBytes(StandardCharsets.ISO_8859_1);
        String status = response.status == null || response.status < 0 ? "-" : "" + response.status;
        int length = response.content == null ? -1 : response.content.length;
        String line = "R " + status + " " + head.length + " " + length + "\n";
        answers.write(line.getBytes(StandardCharsets.ISO_8859_1));
        answers.write(head);
        if (response.content != null) {
            answers.write(response.content);
        }
    }

    static void answer(OutputStream answers, Throwable error) throws IOException {
        StringBuilder line = new StringBuilder("E " + error.getClass().getName() + "\t" + oneLine(error.getMessage()));
        for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
            line.append('\t').append(oneLine(cause));
        }
        answers.write((line + "\n").getBytes(StandardCharsets.ISO_8859_1));
    }

    public static void main(String[] args) throws Exception {
        OutputStream answers = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out));
        System.setOut(System.err);  // what a client prints must not be an answer
        String name = args.length > 0 ? args[0] : "Client";
        Exchanger client = (Exchanger) Class.forName(name).getDeclaredConstructor().newInstance();
        String features = client.features();
        String first = features == null ? "V " + client.version() : "S " + client.version() + "\t" + features;
        answers.write((first + "\n").getBytes(StandardCharsets.ISO_8859_1));
        answers.flush();
        InputStream lines = new BufferedInputStream(System.in);
        for (String line = lineOf(lines); line != null; line = lineOf(lines)) {
            if (line.equals("release")) {
                client.release();
                answers.write("released\n".getBytes(StandardCharsets.ISO_8859_1));
            } else {
                Asked asked = new Asked(line, lines);
                try {
                    answer(answers, client.exchange(asked));
                } catch (Throwable error) {
                    answer(answers, error);
                }
            }
            answers.flush();
        }
        System.exit(0);
    }

    static String text(byte[] octets) {
        return new String(octets, StandardCharsets.ISO_8859_1);
    }

    static String lineOf(InputStream lines) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int one = lines.read(); one != '\n'; one = lines.read()) {
            if (one < 0) {
                return null;
            }
            line.write(one);
        }
        return text(line.toByteArray());
    }
}
