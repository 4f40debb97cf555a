import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.Version;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

public class Netty implements Driver.Exchanger {
    private final NioEventLoopGroup group = new NioEventLoopGroup(1);

    public String version() {
        return Version.identify().get("netty-codec-http").artifactVersion();
    }

    // Collects what the codec gives; the codec alone decides what is malformed.
    private static class Collector extends SimpleChannelInboundHandler<HttpObject> {
        private final CompletableFuture<Driver.Response> done;
        private final ByteArrayOutputStream content = new ByteArrayOutputStream();
        private Driver.Response response;

        Collector(CompletableFuture<Driver.Response> done) {
            this.done = done;
        }

        protected void channelRead0(ChannelHandlerContext context, HttpObject part) throws Exception {
            if (part.decoderResult().isFailure()) {
                done.completeExceptionally(part.decoderResult().cause());
                context.close();
                return;
            }
            if (part instanceof HttpResponse) {
                HttpResponse head = (HttpResponse) part;
                content.reset();
                response = new Driver.Response();
                response.status = head.status().code();
                response.reason = head.status().reasonPhrase();
                for (Map.Entry<String, String> field : head.headers()) {
                    response.field(field.getKey(), field.getValue());
                }
            }
            if (part instanceof HttpContent) {
                ByteBuf piece = ((HttpContent) part).content();
                piece.readBytes(content, piece.readableBytes());
                boolean isInterim = response.status / 100 == 1 && response.status != 101;
                if (part instanceof LastHttpContent && !isInterim) {
                    response.content = content.toByteArray();
                    done.complete(response);
                    context.close();
                }
            }
        }

        public void channelInactive(ChannelHandlerContext context) {
            done.completeExceptionally(new EOFException("the connection was closed"));
        }

        public void exceptionCaught(ChannelHandlerContext context, Throwable error) {
            done.completeExceptionally(error);
            context.close();
        }
    }

    public Driver.Response exchange(Driver.Asked asked) throws Throwable {
        URI where = new URI(asked.url);
        CompletableFuture<Driver.Response> done = new CompletableFuture<>();
        Channel channel = new Bootstrap().group(group).channel(NioSocketChannel.class)
                .handler(new ChannelInitializer<SocketChannel>() {
                    protected void initChannel(SocketChannel socket) {
                        socket.pipeline().addLast(new HttpClientCodec(), new Collector(done));
                    }
                }).connect(where.getHost(), where.getPort()).sync().channel();
        HttpRequest request = new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, where.getPath());
        request.headers().set("Host", where.getAuthority());
        channel.writeAndFlush(request);
        try {
            return done.get(5, TimeUnit.SECONDS);
        } catch (ExecutionException error) {
            throw error.getCause();
        } finally {
            channel.close();
        }
    }
}
