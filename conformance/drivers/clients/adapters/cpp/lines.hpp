// The side of a client in C++ for line_driver.py: it reads URLs and answers with responses and errors.
#pragma once
#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <typeinfo>

struct Response {
    int status = -1; // of none that is reported
    std::string reason, fields, content;

    static std::string one_line(std::string text) {
        for (char &one : text)
            if (one == '\n' || one == '\r' || one == '\t')
                one = ' ';
        return text;
    }

    void field(const std::string &name, const std::string &value) {
        fields += "\n" + one_line(name) + ": " + one_line(value);
    }
};

struct Address {
    std::string host, port, path;

    explicit Address(const std::string &url) {
        auto rest = url.substr(url.find("//") + 2);
        auto slash = rest.find('/');
        path = slash == std::string::npos ? "/" : rest.substr(slash);
        auto authority = rest.substr(0, slash);
        auto colon = authority.find(':');
        host = authority.substr(0, colon);
        port = authority.substr(colon + 1);
    }

    std::string authority() const { return host + ":" + port; }
};

// An error whose class the client names itself.
struct Failure : std::runtime_error {
    std::string kind;
    Failure(const std::string &kind, const std::string &text) : std::runtime_error(text), kind(kind) {}
};

inline int serve(const std::string &version, const std::function<Response(const std::string &)> &fetch) {
    std::cout << "V " << version << std::endl;
    for (std::string url; std::getline(std::cin, url);) {
        try {
            auto response = fetch(url);
            auto head = Response::one_line(response.reason) + response.fields;
            std::cout << "R " << (response.status < 0 ? "-" : std::to_string(response.status)) << " " << head.size()
                      << " " << response.content.size() << "\n" << head << response.content;
        } catch (const Failure &error) {
            std::cout << "E " << error.kind << "\t" << Response::one_line(error.what()) << "\n";
        } catch (const std::exception &error) {
            std::cout << "E " << typeid(error).name() << "\t" << Response::one_line(error.what()) << "\n";
        }
        std::cout.flush();
    }
    return 0;
}
