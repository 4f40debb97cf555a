// The client of libxml2, for line_driver.py.  It does not report fields.
#include "lines.hpp"
#include <libxml/globals.h>
#include <libxml/nanohttp.h>
#include <libxml/xmlversion.h>

static Response fetch(const std::string &url) {
    char *type = nullptr, *redirect = nullptr;
    void *context = xmlNanoHTTPOpenRedir(url.c_str(), &type, &redirect);
    if (!context)
        throw Failure("xmlNanoHTTP", "no context");
    Response response;
    response.status = xmlNanoHTTPReturnCode(context);
    char block[65536];
    int size;
    while ((size = xmlNanoHTTPRead(context, block, sizeof block)) > 0)
        response.content.append(block, size);
    xmlNanoHTTPClose(context);
    xmlFree(type);
    xmlFree(redirect);
    if (size < 0)
        throw Failure("xmlNanoHTTP", "a read failed");
    response.reason = std::string(1, '\0');
    return response;
}

int main() {
    xmlNanoHTTPInit();
    return serve(LIBXML_DOTTED_VERSION, fetch);
}
