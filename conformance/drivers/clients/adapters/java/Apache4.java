import java.io.ByteArrayInputStream;
import org.apache.http.Header;
import org.apache.http.HttpEntity;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.RequestBuilder;
import org.apache.http.entity.ByteArrayEntity;
import org.apache.http.entity.InputStreamEntity;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.VersionInfo;

public class Apache4 implements Driver.Exchanger {
    private CloseableHttpClient client;

    public String version() {
        return VersionInfo.loadVersionInfo("org.apache.http.client", getClass().getClassLoader()).getRelease();
    }

    public String features() {
        return "drop expect-continue part streamed timeout";
    }

    public Driver.Response exchange(Driver.Asked asked) throws Exception {
        if (client == null) {
            client = HttpClients.custom().disableAutomaticRetries().disableContentCompression().disableRedirectHandling().build();
        }
        RequestBuilder request = RequestBuilder.create(asked.method).setUri(asked.url).setConfig(RequestConfig.custom()
                .setSocketTimeout(asked.milliseconds).setExpectContinueEnabled(asked.expectContinue).build());
        for (String[] field : asked.fields) {
            request.addHeader(field[0], field[1]);
        }
        if (asked.body != null) {
            request.setEntity(asked.streamed
                    ? new InputStreamEntity(new ByteArrayInputStream(asked.body)) : new ByteArrayEntity(asked.body));
        }
        CloseableHttpResponse answer = client.execute(request.build());
        Driver.Response response = new Driver.Response();
        response.status = answer.getStatusLine().getStatusCode();
        response.reason = answer.getStatusLine().getReasonPhrase();
        for (Header field : answer.getAllHeaders()) {
            response.field(field.getName(), field.getValue());
        }
        HttpEntity entity = answer.getEntity();
        if (asked.consume.equals("drop")) {
            response.content = null;
        } else if (asked.consume.equals("part")) {
            response.content = entity == null ? response.content : entity.getContent().readNBytes(asked.amount);
            answer.close();
        } else {
            response.content = entity == null ? response.content : asked.taken(entity.getContent());
        }
        return response;
    }

    public void release() throws Exception {
        if (client != null) {
            client.close();
        }
        client = null;
    }
}
