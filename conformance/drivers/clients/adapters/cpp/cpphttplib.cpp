// cpp-httplib, for line_driver.py.
#include "lines.hpp"
#include <httplib.h>

static Response fetch(const std::string &url) {
    Address address(url);
    httplib::Client client(address.host, std::stoi(address.port));
    client.set_read_timeout(5);
    client.set_decompress(false);
    auto answer = client.Get(address.path.c_str());
    if (!answer)
        throw Failure("httplib::Error", httplib::to_string(answer.error()));
    Response response;
    response.status = answer->status;
    response.reason = answer->reason;
    for (auto &field : answer->headers)
        response.field(field.first, field.second);
    response.content = answer->body;
    return response;
}

int main() { return serve(CPPHTTPLIB_VERSION, fetch); }
