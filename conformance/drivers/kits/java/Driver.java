// The side of the client for line_driver.py: it reads URLs and answers with responses and errors.
//
//   javac -d built Driver.java Client.java && python3 line_driver.py NAME java -cp built Driver [CLASS]
//
// CLASS, by default Client, implements `Fetcher`.  Nothing here has to be changed for another client.

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

public class Driver {
    /** A client: its version, and a GET without proxy, redirect, second attempt or decoding. */
    public interface Fetcher {
        String version();

        Response fetch(String url) throws Throwable;
    }

    /** What a client shows of a response; a part that it does not report stays null. */
    public static class Response {
        public Integer status;
        public String reason;
        public final StringBuilder fields = new StringBuilder();
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
        String line = "R " + status + " " + head.length + " " + response.content.length + "\n";
        answers.write(line.getBytes(StandardCharsets.ISO_8859_1));
        answers.write(head);
        answers.write(response.content);
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
        Fetcher client = (Fetcher) Class.forName(name).getDeclaredConstructor().newInstance();
        answers.write(("V " + client.version() + "\n").getBytes(StandardCharsets.ISO_8859_1));
        answers.flush();
        BufferedReader urls = new BufferedReader(new InputStreamReader(System.in));
        for (String url = urls.readLine(); url != null; url = urls.readLine()) {
            Response response;
            try {
                response = client.fetch(url);
                answer(answers, response);
            } catch (Throwable error) {
                answer(answers, error);
            }
            answers.flush();
        }
        System.exit(0);
    }
}
