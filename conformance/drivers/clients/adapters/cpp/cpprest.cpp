// The C++ REST SDK, for line_driver.py.
#include "lines.hpp"
#include <cpprest/http_client.h>
#include <cpprest/version.h>

static Response fetch(const std::string &url) {
    web::http::client::http_client_config config;
    config.set_timeout(std::chrono::seconds(5));
    web::http::client::http_client client(url, config);
    auto answer = client.request("GET").get();
    auto content = answer.extract_vector().get();
    Response response;
    response.status = answer.status_code();
    response.reason = answer.reason_phrase();
    for (auto &field : answer.headers())
        response.field(field.first, field.second);
    response.content.assign(content.begin(), content.end());
    return response;
}

int main() {
    auto dot = std::string(".");
    return serve(std::to_string(CPPREST_VERSION_MAJOR) + dot + std::to_string(CPPREST_VERSION_MINOR) + dot +
                     std::to_string(CPPREST_VERSION_REVISION),
                 fetch);
}
