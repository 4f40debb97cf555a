// The worker for the JDK's `java.net.http.HttpClient`, run from its source by `java JdkClient.java`.
//
// In: messages of the driver protocol on standard input.  Out: one line each on standard output.  The client follows no
// redirect and asks for HTTP/1.1; it does not tell the reason phrase.  A table maps the messages of its errors to
// categories.  Of a message only the type, the serial, the URL and the ids of its ops are looked for: the kit writes it,
// so it is JSON, and none of these has an escape in it.

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class JdkClient {
    static final Duration TIMEOUT = Duration.ofSeconds(5);

    // The first pattern that fits class and message of an error, or of one that led to it, decides.
    static final String[][] CATEGORIES = {
        {"(?i)timed? ?out", "timeout"},
        {"(?i)invalid status line|invalid response status|protocol version|status code|status line", "bad-status-line"},
        {"(?i)chunk|content-length|transfer-encoding|unexpected body|content.length", "bad-framing"},
        {"(?i)fixed content|closed while receiving|EOF reached while reading|closed prematurely", "truncated-body"},
        {"(?i)header.*(size|limit|too)|too (large|long|many)", "limit-exceeded"},
        {"(?i)header|bad character", "bad-header"},
        {"(?i)received no bytes|connection reset|ConnectException|ClosedChannel|Broken pipe", "no-response"},
        {"java\\.io\\.IOException|java\\.net\\.", "bad-framing"},
    };

    // The client's own threads are told to end with it: an idle connection is never used for another case.
    static String fetch(String url) throws Exception {
        HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .proxy(HttpClient.Builder.NO_PROXY)
                .connectTimeout(TIMEOUT)
                .build();
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).timeout(TIMEOUT).build();
        HttpResponse<byte[]> answer = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
        List<String> fields = new ArrayList<>();
        answer.headers().map().forEach((name, values) -> values.forEach(
                value -> fields.add("[" + text(name) + "," + text(value) + "]")));
        String content = new String(answer.body(), StandardCharsets.ISO_8859_1);
        return "{\"type\":\"response\",\"status\":" + answer.statusCode() + ",\"reason\":null,\"headers\":["
                + String.join(",", fields) + "],\"body\":" + text(content) + "}";
    }

    static String entry(String id, String url) {
        try {
            return "{\"id\":" + text(id) + ",\"value\":" + fetch(url) + "}";
        } catch (Throwable error) {
            return "{\"id\":" + text(id) + ",\"error\":{\"class\":" + text(error.getClass().getName())
                    + ",\"bases\":[],\"attributes\":{},\"message\":" + text(String.valueOf(error.getMessage()))
                    + ",\"category\":" + text(category(error)) + "}}";
        }
    }

    static String category(Throwable error) {
        if (!(error instanceof IOException)) {
            return "leak";
        }
        for (String[] row : CATEGORIES) {
            for (Throwable one = error; one != null; one = one.getCause()) {
                if (Pattern.compile(row[0]).matcher(one.toString()).find()) {
                    return row[1];
                }
            }
        }
        return "";
    }

    static String text(String octets) {
        StringBuilder json = new StringBuilder("\"");
        for (char one : octets.toCharArray()) {
            if (one < ' ' || one > '~' || one == '"' || one == '\\') {
                json.append(String.format("\\u%04x", (int) one));
            } else {
                json.append(one);
            }
        }
        return json.append('"').toString();
    }

    static String find(String pattern, String line) {
        Matcher matcher = Pattern.compile(pattern).matcher(line);
        return matcher.find() ? matcher.group(1) : "";
    }

    static String answerTo(String type, String line) {
        switch (type) {
            case "start":
                return "\"name\":\"JDK HttpClient\",\"version\":" + text(System.getProperty("java.version"))
                        + ",\"ops\":[\"fetch\"]";
            case "run":
                String call = find("\"call\": ?\"([^\"]*)\"", line);
                String id = find("\"ops\": ?\\[\\{[^\\]]*?\"id\": ?\"([^\"]*)\"", line);
                String url = find("\"url\": ?\"([^\"]*)\"", line);
                return "\"trace\":[" + (call.equals("fetch") ? entry(id, url)
                        : "{\"id\":" + text(id) + ",\"unsupported\":true}") + "]";
            case "release":
                return "\"released\":true";
            default:
                return "\"unsupported\":" + text(type);
        }
    }

    public static void main(String[] args) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = System.out;
        System.setOut(System.err);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String type = find("\"type\": ?\"([^\"]*)\"", line);
            if (type.equals("stop")) {
                break;
            }
            answers.println("{" + answerTo(type, line) + ",\"serial\":" + find("\"serial\": ?(\\d+)", line) + "}");
            answers.flush();
        }
        System.exit(0);
    }
}
