// The worker for the JDK's `java.net.http.HttpClient`, run from its source by `java JdkClient.java`.
//
// In: messages of the driver protocol on standard input.  Out: one line each on standard output.  One client object, with
// its pool, makes all exchanges of a case; it follows no redirect and asks for HTTP/1.1, and gives no reason phrase.

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public class JdkClient {
    static final Duration TIMEOUT = Duration.ofSeconds(5);

    static HttpClient client;

    static HttpClient opened(Map<?, ?> message) throws Exception {
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(TIMEOUT);
        if (message.get("certificates") instanceof Map<?, ?> files) {
            builder.sslContext(trusting((String) ((Map<?, ?>) files.get("ca")).get("chain")));
        }
        if (!message.containsKey("proxy")) {
            return builder.proxy(HttpClient.Builder.NO_PROXY).build();
        }
        URI proxy = URI.create((String) message.get("proxy"));
        return builder.proxy(ProxySelector.of(new InetSocketAddress(proxy.getHost(), proxy.getPort()))).build();
    }

    static SSLContext trusting(String file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream pem = new FileInputStream(file)) {
            store.setCertificateEntry("kit", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    // Loading the client takes longer than the shortest timeout of a case.
    static void warmUp() throws Exception {
        client = opened(Map.of());
        for (Map<?, ?> asked : List.of(Map.of(), Map.of("timeout", 5.0))) {
            try {
                exchanged(asked, "http://127.0.0.1:1/");
            } catch (Exception refused) {
                client = opened(Map.of());
            }
        }
        client = null;
    }

    static HttpRequest request(Map<?, ?> asked, String url) {
        URI base = URI.create(url);
        HttpRequest.Builder request = HttpRequest.newBuilder(
                asked.containsKey("target") ? base.resolve((String) asked.get("target")) : base);
        double seconds = asked.containsKey("timeout") ? ((Number) asked.get("timeout")).doubleValue() : TIMEOUT.toSeconds();
        request.timeout(Duration.ofMillis((long) (seconds * 1000)));
        HttpRequest.BodyPublisher content = HttpRequest.BodyPublishers.noBody();
        if (asked.get("body") instanceof Map<?, ?> body) {
            byte[] octets = ((String) body.get("value")).getBytes(StandardCharsets.ISO_8859_1);
            InputStream once = new ByteArrayInputStream(octets);
            content = asked.containsKey("streamed")
                    ? HttpRequest.BodyPublishers.ofInputStream(() -> once)
                    : HttpRequest.BodyPublishers.ofByteArray(octets);
        }
        if (asked.get("fields") instanceof Map<?, ?> fields) {
            for (Object pair : (List<?>) fields.get("value")) {
                request.header((String) ((List<?>) pair).get(0), (String) ((List<?>) pair).get(1));
            }
        }
        request.expectContinue(asked.containsKey("expect_continue"));
        String method = asked.containsKey("method") ? (String) asked.get("method") : "GET";
        // Only `GET()` announces no content; `method("GET", noBody())` sends a length of 0.
        return (method.equals("GET") && !asked.containsKey("body") ? request.GET() : request.method(method, content)).build();
    }

    static String exchanged(Map<?, ?> asked, String url) throws Exception {
        HttpRequest request = request(asked, url);
        Object consume = asked.get("consume");
        if (!"part".equals(consume) && !"drop".equals(consume)) {
            HttpResponse<byte[]> answer = asked.containsKey("timeout")
                    ? inTime(request, ((Number) asked.get("timeout")).doubleValue())
                    : client.send(request, HttpResponse.BodyHandlers.ofByteArray());
            return response(answer, answer.body());
        }
        HttpResponse<InputStream> answer = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        if (consume.equals("drop")) {
            return response(answer, null);
        }
        byte[] part = answer.body().readNBytes(((Number) asked.get("amount")).intValue());
        answer.body().close();
        return response(answer, part);
    }

    // The timeout of a request ends with the head of its response: for the content the caller has to watch the time.
    static HttpResponse<byte[]> inTime(HttpRequest request, double seconds) throws Exception {
        CompletableFuture<HttpResponse<byte[]>> answer = client.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray());
        try {
            return answer.get((long) (seconds * 1000), TimeUnit.MILLISECONDS);
        } catch (TimeoutException late) {
            answer.cancel(true);
            throw new HttpTimeoutException("request timed out");
        } catch (ExecutionException failed) {
            throw (Exception) failed.getCause();
        }
    }

    static String response(HttpResponse<?> answer, byte[] octets) {
        List<String> fields = new ArrayList<>();
        answer.headers().map().forEach((name, values) -> values.forEach(
                value -> fields.add("[" + text(name) + "," + text(value) + "]")));
        String content = octets == null ? "null" : text(new String(octets, StandardCharsets.ISO_8859_1));
        return "{\"type\":\"response\",\"status\":" + answer.statusCode() + ",\"reason\":null,\"headers\":["
                + String.join(",", fields) + "],\"body\":" + content + "}";
    }

    static String entry(Map<?, ?> op, String url) {
        String id = text((String) op.get("id"));
        try {
            return "{\"id\":" + id + ",\"value\":" + exchanged((Map<?, ?>) op.get("kwargs"), url) + "}";
        } catch (Throwable error) {
            return "{\"id\":" + id + ",\"error\":{\"class\":" + text(error.getClass().getName())
                    + ",\"bases\":" + classes(error) + ",\"message\":" + text(String.valueOf(error.getMessage()))
                    + ",\"causes\":" + causes(error) + "}}";
        }
    }

    // Ops of one message begin together, so each has a thread.
    static String trace(Map<?, ?> message) throws Exception {
        List<?> ops = (List<?>) message.get("ops");
        if (!Set.of("fetch", "exchange").contains(String.valueOf(((Map<?, ?>) ops.get(0)).get("call")))) {
            return "{\"id\":" + text((String) ((Map<?, ?>) ops.get(0)).get("id")) + ",\"unsupported\":true}";
        }
        client = client == null ? opened(message) : client;
        String[] entries = new String[ops.size()];
        List<Thread> threads = new ArrayList<>();
        for (int index = 0; index < entries.length; index++) {
            int at = index;
            threads.add(new Thread(() -> entries[at] = entry((Map<?, ?>) ops.get(at), (String) message.get("url"))));
            threads.get(at).start();
        }
        for (Thread one : threads) {
            one.join();
        }
        return String.join(",", entries);
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

    // A reader of JSON without checks: the kit writes it.
    static class Json {
        final String line;
        int at = 0;

        Json(String line) {
            this.line = line;
        }

        char next() {
            while (Character.isWhitespace(line.charAt(at)) || line.charAt(at) == ',' || line.charAt(at) == ':') {
                at++;
            }
            return line.charAt(at);
        }

        Object value() {
            switch (next()) {
                case '{':
                    Map<Object, Object> table = new LinkedHashMap<>();
                    for (at++; next() != '}'; ) {
                        table.put(value(), value());
                    }
                    at++;
                    return table;
                case '[':
                    List<Object> list = new ArrayList<>();
                    for (at++; next() != ']'; ) {
                        list.add(value());
                    }
                    at++;
                    return list;
                case '"':
                    return string();
                default:
                    int start = at;
                    while ("+-.0123456789abcdefghijklmnopqrstuvwxyzE".indexOf(line.charAt(at)) >= 0) {
                        at++;
                    }
                    String word = line.substring(start, at);
                    return Character.isLetter(word.charAt(0)) ? (Object) word.equals("true") : Double.valueOf(word);
            }
        }

        String string() {
            StringBuilder text = new StringBuilder();
            for (at++; line.charAt(at) != '"'; at++) {
                if (line.charAt(at) != '\\') {
                    text.append(line.charAt(at));
                } else if (line.charAt(++at) == 'u') {
                    text.append((char) Integer.parseInt(line.substring(at + 1, at + 5), 16));
                    at += 4;
                } else {
                    int escape = "bfnrt".indexOf(line.charAt(at));
                    text.append(escape < 0 ? line.charAt(at) : "\b\f\n\r\t".charAt(escape));
                }
            }
            at++;
            return text.toString();
        }
    }

    static String answerTo(Map<?, ?> message) throws Exception {
        switch ((String) message.get("type")) {
            case "start":
                warmUp();
                return "\"name\":\"JDK HttpClient\",\"version\":" + text(System.getProperty("java.version"))
                        + ",\"ops\":[\"fetch\",\"exchange\"],\"features\":[\"drop\",\"expect-continue\",\"parallel\",\"part\","
                        + "\"streamed\",\"timeout\"]";
            case "run":
                return "\"trace\":[" + trace(message) + "]";
            case "release":
                client = null;
                return "\"released\":true";
            default:
                return "\"unsupported\":" + text((String) message.get("type"));
        }
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("jdk.httpclient.allowRestrictedHeaders", "connection,expect,upgrade");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = System.out;
        System.setOut(System.err);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Map<?, ?> message = (Map<?, ?>) new Json(line).value();
            if (message.get("type").equals("stop")) {
                break;
            }
            int serial = ((Double) message.get("serial")).intValue();
            answers.println("{" + answerTo(message) + ",\"serial\":" + serial + "}");
            answers.flush();
        }
        System.exit(0);
    }
}
