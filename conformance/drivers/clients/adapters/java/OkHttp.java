import java.io.IOException;
import java.net.Proxy;
import java.util.concurrent.TimeUnit;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.internal.Version;
import okhttp3.internal.http.HttpMethod;
import okio.BufferedSink;

public class OkHttp implements Driver.Exchanger {
    private OkHttpClient client;

    public String version() {
        return Version.userAgent().replace("okhttp/", "");
    }

    public String features() {
        return "drop expect-continue part streamed timeout";
    }

    public Driver.Response exchange(Driver.Asked asked) throws Exception {
        if (client == null) {
            client = new OkHttpClient.Builder().followRedirects(false).retryOnConnectionFailure(false).proxy(Proxy.NO_PROXY).build();
        }
        Request.Builder request = new Request.Builder().url(asked.url).header("Accept-Encoding", "identity");
        for (String[] field : asked.fields) {
            request.addHeader(field[0], field[1]);
        }
        if (asked.expectContinue) {
            request.header("Expect", "100-continue");
        }
        boolean isContentDue = asked.body != null || HttpMethod.requiresRequestBody(asked.method);
        request.method(asked.method, isContentDue ? content(asked) : null);
        Response answer = client.newBuilder().readTimeout(asked.milliseconds, TimeUnit.MILLISECONDS)
                .writeTimeout(asked.milliseconds, TimeUnit.MILLISECONDS).build().newCall(request.build()).execute();
        Driver.Response response = new Driver.Response();
        response.status = answer.code();
        response.reason = answer.message();
        response.content = asked.taken(answer.body().byteStream());
        for (int index = 0; index < answer.headers().size(); index++) {
            response.field(answer.headers().name(index), answer.headers().value(index));
        }
        return response;
    }

    private static RequestBody content(Driver.Asked asked) {
        byte[] octets = asked.body == null ? new byte[0] : asked.body;
        return !asked.streamed ? RequestBody.create(null, octets) : new RequestBody() {
            public MediaType contentType() {
                return null;
            }

            public void writeTo(BufferedSink sink) throws IOException {
                sink.write(octets);
            }
        };
    }

    public void release() {
        if (client != null) {
            client.connectionPool().evictAll();
        }
        client = null;
    }
}
