import java.io.ByteArrayInputStream;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.CloseableHttpResponse;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.InputStreamEntity;
import org.apache.hc.core5.http.io.support.ClassicRequestBuilder;
import org.apache.hc.core5.util.Timeout;
import org.apache.hc.core5.util.VersionInfo;

public class Apache5 implements Driver.Exchanger {
    private CloseableHttpClient client;

    public String version() {
        return VersionInfo.loadVersionInfo("org.apache.hc.client5", getClass().getClassLoader()).getRelease();
    }

    public String features() {
        return "drop expect-continue streamed timeout";
    }

    public Driver.Response exchange(Driver.Asked asked) throws Exception {
        if (client == null) {
            client = HttpClients.custom().disableAutomaticRetries().disableContentCompression().disableRedirectHandling().build();
        }
        HttpClientContext context = HttpClientContext.create();
        context.setRequestConfig(RequestConfig.custom().setResponseTimeout(Timeout.ofMilliseconds(asked.milliseconds))
                .setExpectContinueEnabled(asked.expectContinue).build());
        ClassicRequestBuilder request = ClassicRequestBuilder.create(asked.method).setUri(asked.url);
        for (String[] field : asked.fields) {
            request.addHeader(field[0], field[1]);
        }
        if (asked.body != null) {
            request.setEntity(asked.streamed ? new InputStreamEntity(new ByteArrayInputStream(asked.body), null)
                    : new ByteArrayEntity(asked.body, null));
        }
        CloseableHttpResponse answer = (CloseableHttpResponse) client.execute(request.build(), context);
        Driver.Response response = new Driver.Response();
        response.status = answer.getCode();
        response.reason = answer.getReasonPhrase();
        for (Header field : answer.getHeaders()) {
            response.field(field.getName(), field.getValue());
        }
        HttpEntity entity = answer.getEntity();
        if (asked.consume.equals("drop")) {
            response.content = null;
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
