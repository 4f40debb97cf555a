import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.CloseableHttpResponse;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.util.Timeout;
import org.apache.hc.core5.util.VersionInfo;

public class Apache5 implements Driver.Fetcher {
    public String version() {
        return VersionInfo.loadVersionInfo("org.apache.hc.client5", getClass().getClassLoader()).getRelease();
    }

    public Driver.Response fetch(String url) throws Exception {
        RequestConfig config =
                RequestConfig.custom().setResponseTimeout(Timeout.ofSeconds(5)).setRedirectsEnabled(false).build();
        try (CloseableHttpClient client = HttpClients.custom().disableAutomaticRetries().disableContentCompression()
                        .disableRedirectHandling().setDefaultRequestConfig(config).build();
                CloseableHttpResponse answer = client.execute(new HttpGet(url))) {
            Driver.Response response = new Driver.Response();
            response.status = answer.getCode();
            response.reason = answer.getReasonPhrase();
            if (answer.getEntity() != null) {
                response.content = EntityUtils.toByteArray(answer.getEntity());
            }
            for (Header field : answer.getHeaders()) {
                response.field(field.getName(), field.getValue());
            }
            return response;
        }
    }
}
