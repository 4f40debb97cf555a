// neon, for line_driver.py.
#include "lines.hpp"
#include <ne_request.h>
#include <ne_session.h>
#include <ne_socket.h>
#include <ne_utils.h>

static int take(void *content, const char *block, size_t size) {
    static_cast<std::string *>(content)->append(block, size);
    return 0;
}

static Response fetch(const std::string &url) {
    Address address(url);
    auto *session = ne_session_create("http", address.host.c_str(), std::stoi(address.port));
    ne_set_read_timeout(session, 5);
    auto *request = ne_request_create(session, "GET", address.path.c_str());
    Response response;
    ne_add_response_body_reader(request, ne_accept_always, take, &response.content);
    int code = ne_request_dispatch(request);
    std::string error = ne_get_error(session);
    auto *status = ne_get_status(request);
    response.status = status->code;
    response.reason = status->reason_phrase ? status->reason_phrase : "";
    void *cursor = nullptr;
    const char *name, *value;
    while ((cursor = ne_response_header_iterate(request, cursor, &name, &value)))
        response.field(name, value);
    ne_request_destroy(request);
    ne_session_destroy(session);
    if (code != NE_OK && code != NE_AUTH)
        throw Failure("NE_" + std::to_string(code), error);
    return response;
}

int main() {
    ne_sock_init();
    return serve(ne_version_string(), fetch);
}
