// resty, for the driver kit of Go.
package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/go-resty/resty"
)

const name = "resty"

var version = "unknown"   // the build sets it
var features = []string{} // the registry has them
var client = made()

func made() *resty.Client {
	last := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return resty.New().SetRedirectPolicy(resty.RedirectPolicyFunc(last)).RemoveProxy().SetDoNotParseResponse(true)
}

func release() {
	client.GetClient().CloseIdleConnections()
}

func exchange(asked *Asked) (*Response, error) {
	request := client.SetTimeout(asked.Timeout).R().SetHeader("Accept-Encoding", "identity")
	for _, one := range asked.Fields {
		request.Header.Add(one[0], one[1])
	}
	if asked.Streamed {
		request.SetBody(io.MultiReader(bytes.NewReader(asked.Body)))
	} else if asked.Body != nil {
		request.SetBody(asked.Body)
	}
	answer, err := request.Execute(asked.Method, asked.URL)
	if err != nil {
		return nil, err
	}
	_, reason, _ := strings.Cut(answer.Status(), " ")
	response := &Response{answer.StatusCode(), &reason, [][2]string{}, nil}
	for name, values := range answer.Header() {
		for _, value := range values {
			response.Fields = append(response.Fields, [2]string{name, value})
		}
	}
	switch asked.Consume {
	case "drop":
		return response, nil
	case "part":
		response.Content = make([]byte, asked.Amount)
		_, err = io.ReadFull(answer.RawBody(), response.Content)
	default:
		response.Content, err = io.ReadAll(answer.RawBody())
	}
	answer.RawBody().Close()
	if err != nil {
		return nil, err
	}
	return response, nil
}
