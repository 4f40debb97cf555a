// POCO, for line_driver.py.
#include "lines.hpp"
#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/Version.h>

using namespace Poco::Net;

static Response fetch(const std::string &url) {
    Address address(url);
    try {
        HTTPClientSession session(address.host, std::stoi(address.port));
        session.setTimeout(Poco::Timespan(5, 0));
        HTTPRequest request("GET", address.path, "HTTP/1.1");
        session.sendRequest(request);
        HTTPResponse answer;
        std::istream &stream = session.receiveResponse(answer);
        Response response;
        Poco::StreamCopier::copyToString(stream, response.content);
        if (stream.bad())
            throw Failure("std::istream", "bad");
        if (session.networkException())
            session.networkException()->rethrow();
        response.status = answer.getStatus();
        response.reason = answer.getReason();
        for (auto &field : answer)
            response.field(field.first, field.second);
        return response;
    } catch (const Poco::Exception &error) {
        throw Failure(error.className(), error.displayText());
    }
}

int main() {
    return serve(std::to_string(POCO_VERSION >> 24) + "." + std::to_string(POCO_VERSION >> 16 & 255) + "." +
                     std::to_string(POCO_VERSION >> 8 & 255),
                 fetch);
}
