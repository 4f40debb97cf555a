// QNetworkAccessManager of Qt 5, for line_driver.py.
#include "lines.hpp"
#include <QtNetwork>

static Response fetch(const std::string &url) {
    QNetworkAccessManager client;
    client.setProxy(QNetworkProxy::NoProxy);
    QNetworkRequest request(QUrl(url.c_str()));
    request.setAttribute(QNetworkRequest::RedirectPolicyAttribute, QNetworkRequest::ManualRedirectPolicy);
    request.setTransferTimeout(5000);
    auto *answer = client.get(request);
    QEventLoop loop;
    QObject::connect(answer, &QNetworkReply::finished, &loop, &QEventLoop::quit);
    if (!answer->isFinished())
        loop.exec();
    Response response;
    response.status = answer->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    // From 201 on an error is that of a status.
    if (answer->error() && !(response.status >= 300 && answer->error() >= 201))
        throw Failure("QNetworkReply::" + std::to_string(answer->error()), answer->errorString().toStdString());
    response.reason = answer->attribute(QNetworkRequest::HttpReasonPhraseAttribute).toByteArray().toStdString();
    for (auto &field : answer->rawHeaderPairs())
        response.field(field.first.toStdString(), field.second.toStdString());
    response.content = answer->readAll().toStdString();
    delete answer;
    return response;
}

int main(int count, char **arguments) {
    QCoreApplication application(count, arguments);
    return serve(qVersion(), fetch);
}
