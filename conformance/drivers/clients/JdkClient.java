// The worker for the JDK's `java.net.http.HttpClient`, run from its source by `java JdkClient.java`.
//
// In: messages of the driver protocol on standard input.  Out: one line each on standard output.  The client follows no
// redirect and asks for HTTP/1.1; it does not report the reason phrase.  Of a message only the type, the serial, the URL and the ids of its ops are looked for: the kit writes it,
// so it is JSON, and none of these has an escape in it.

import java.io.BufferedReader;
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
                    + ",\"bases\":" + classes(error) + ",\"message\":" + text(String.valueOf(error.getMessage()))
                    + ",\"causes\":" + causes(error) + "}}";
        }
    }

    static String classes(Throwable error) {
        List<String> names = new ArrayList<>();
        for (Class<?> one = error.getClass().getSuperclass(); one != null; one = one.getSuperclass()) {
            names.add(text(one.getName()));
        }
        return "[" + String.join(",", names) + "]";
    }

    static String causes(Throwable error) {
        List<String> texts = new ArrayList<>();
        for (Throwable one = error.getCause(); one != null; one = one.getCause()) {
            texts.add(text(one.toString()));
        }
        return "[" + String.join(",", texts) + "]";
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
