// A client that must survive a 503 and a reset in the body, tested with `httplib-kit serve`, in Java 11 or newer.
//   httplib-kit serve --token secret-of-mine       (another terminal)
//   java Plays.java http://127.0.0.1:8083 secret-of-mine
import java.io.IOException;
import java.net.URI;
import java.net.http.*;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.regex.*;

public class Plays {
    static final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    static String ask(String[] server, String method, String path, String content) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(server[0] + path)).header("Authorization", "Bearer " + server[1])
            .header("Content-Type", "application/json").method(method, BodyPublishers.ofString(content)).build();
        var answer = client.send(request, BodyHandlers.ofString());
        if (answer.statusCode() >= 300) throw new IOException(answer.body());
        return answer.body();
    }

    static String download(String url) throws Exception { // the code under test: it tries three times
        for (int tries = 0; tries < 3; tries++) {
            try {
                var answer = client.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString());
                if (answer.statusCode() == 200) return answer.body();
            } catch (IOException error) { } // the next try follows
        }
        return "nothing";
    }

    static String in(String json, String pattern) { // a real test has a JSON library
        Matcher found = Pattern.compile(pattern).matcher(json);
        return found.find() ? found.group(1) : "";
    }

    public static void main(String[] server) throws Exception {
        String play = ask(server, "POST", "/_/plays", "{\"routes\": [{\"steps\": [{\"reply\": 503}]},"
            + "{\"steps\": [{\"send\": \"HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nhel\"}, {\"drain\": {}}, {\"close\": \"rst\"}]},"
            + "{\"steps\": [{\"reply\": {\"text\": \"hello\"}}]}]}");
        String here = "/_/plays/" + in(play, "\"id\":\"(.*?)\"");
        System.out.println("got " + download(in(play, "\"url\":\"(.*?)\"") + "/file"));
        String report = ask(server, "GET", here, "");
        System.out.println("asked " + (report.split("\"target\":\"/file\"").length - 1) + " times");
        System.out.println("complaints " + in(report, "\"complaints\":(\\[.*?\\])"));
        ask(server, "DELETE", here, "");
    }
}
