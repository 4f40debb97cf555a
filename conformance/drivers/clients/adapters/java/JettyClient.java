import java.io.ByteArrayInputStream;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.api.ContentResponse;
import org.eclipse.jetty.client.api.Request;
import org.eclipse.jetty.client.util.BytesContentProvider;
import org.eclipse.jetty.client.util.InputStreamContentProvider;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.util.Jetty;

public class JettyClient implements Driver.Exchanger {
    private HttpClient client;

    public String version() {
        return Jetty.VERSION.replaceAll("\\.v.*", "");
    }

    public String features() {
        return "expect-continue streamed timeout";
    }

    public Driver.Response exchange(Driver.Asked asked) throws Throwable {
        if (client == null) {
            client = new HttpClient();
            client.setFollowRedirects(false);
            client.start();
            client.getContentDecoderFactories().clear();
        }
        Request request = client.newRequest(asked.url).method(asked.method).timeout(asked.milliseconds, TimeUnit.MILLISECONDS);
        for (String[] field : asked.fields) {
            request.header(field[0], field[1]);
        }
        if (asked.expectContinue) {
            request.header("Expect", "100-continue");
        }
        if (asked.body != null) {
            request.content(asked.streamed ? new InputStreamContentProvider(new ByteArrayInputStream(asked.body))
                    : new BytesContentProvider(asked.body));
        }
        ContentResponse answer;
        try {
            answer = request.send();
        } catch (ExecutionException error) {
            throw error.getCause();
        }
        Driver.Response response = new Driver.Response();
        response.status = answer.getStatus();
        response.reason = answer.getReason();
        response.content = answer.getContent();
        for (HttpField field : answer.getHeaders()) {
            response.field(field.getName(), field.getValue());
        }
        return response;
    }

    public void release() throws Exception {
        if (client != null) {
            client.stop();
        }
        client = null;
    }
}
