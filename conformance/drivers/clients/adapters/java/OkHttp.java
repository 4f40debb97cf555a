import java.net.Proxy;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.internal.Version;

public class OkHttp implements Driver.Fetcher {
    public String version() {
        return Version.userAgent().replace("okhttp/", "");
    }

    public Driver.Response fetch(String url) throws Exception {
        OkHttpClient client = new OkHttpClient.Builder().followRedirects(false).retryOnConnectionFailure(false)
                .readTimeout(5, TimeUnit.SECONDS).proxy(Proxy.NO_PROXY).build();
        Request request = new Request.Builder().url(url).header("Accept-Encoding", "identity").build();
        try (Response answer = client.newCall(request).execute()) {
            Driver.Response response = new Driver.Response();
            response.status = answer.code();
            response.reason = answer.message();
            response.content = answer.body().bytes();
            for (int index = 0; index < answer.headers().size(); index++) {
                response.field(answer.headers().name(index), answer.headers().value(index));
            }
            return response;
        } finally {
            client.connectionPool().evictAll();
        }
    }
}
