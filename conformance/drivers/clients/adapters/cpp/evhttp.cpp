// The client of libevent, for line_driver.py.
#include "lines.hpp"
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

struct Seen {
    event_base *base;
    Response response;
    std::string error;
    bool answered = false;
};

static void done(evhttp_request *request, void *into) {
    auto *seen = static_cast<Seen *>(into);
    if (request && evhttp_request_get_response_code(request)) {
        auto &response = seen->response;
        seen->answered = true;
        response.status = evhttp_request_get_response_code(request);
        if (auto *reason = evhttp_request_get_response_code_line(request))
            response.reason = reason;
        auto *content = evhttp_request_get_input_buffer(request);
        auto size = evbuffer_get_length(content);
        if (size)
            response.content.assign(reinterpret_cast<char *>(evbuffer_pullup(content, -1)), size);
        auto *fields = evhttp_request_get_input_headers(request);
        for (auto *field = fields->tqh_first; field; field = field->next.tqe_next)
            response.field(field->key, field->value);
    }
    event_base_loopbreak(seen->base);
}

static void failed(enum evhttp_request_error error, void *into) {
    static const char *const names[] = {"TIMEOUT", "EOF", "INVALID_HEADER", "BUFFER_ERROR", "REQUEST_CANCEL",
                                        "DATA_TOO_LONG"};
    static_cast<Seen *>(into)->error = names[error];
}

static Response fetch(const std::string &url) {
    Address address(url);
    Seen seen{event_base_new(), {}, "", false};
    auto *connection = evhttp_connection_base_new(seen.base, nullptr, address.host.c_str(), std::stoi(address.port));
    evhttp_connection_set_timeout(connection, 5);
    auto *request = evhttp_request_new(done, &seen);
    evhttp_request_set_error_cb(request, failed);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Host", address.authority().c_str());
    evhttp_make_request(connection, request, EVHTTP_REQ_GET, address.path.c_str());
    event_base_dispatch(seen.base);
    evhttp_connection_free(connection);
    event_base_free(seen.base);
    if (!seen.answered || !seen.error.empty())
        throw Failure("evhttp_request_error", seen.error);
    return seen.response;
}

int main() { return serve(event_get_version(), fetch); }
