// fasthttp, for the driver kit of Go.
package main

import (
	"bytes"
	"io"

	"github.com/valyala/fasthttp"
)

const name = "fasthttp"

var version = "unknown"   // the build sets it
var features = []string{} // the registry has them
var client = fasthttp.Client{MaxIdemponentCallAttempts: 1}

func release() {
	client.CloseIdleConnections()
}

func exchange(asked *Asked) (*Response, error) {
	request, answer := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	request.Header.SetMethod(asked.Method)
	request.SetRequestURI(asked.URL)
	for _, one := range asked.Fields {
		request.Header.Add(one[0], one[1])
	}
	if asked.Streamed {
		request.SetBodyStream(io.MultiReader(bytes.NewReader(asked.Body)), -1)
	} else if asked.Body != nil {
		request.SetBodyRaw(asked.Body)
	}
	if err := client.DoTimeout(request, answer, asked.Timeout); err != nil {
		return nil, err
	}
	response := &Response{answer.StatusCode(), nil, [][2]string{}, append([]byte{}, answer.Body()...)}
	answer.Header.VisitAll(func(name, value []byte) {
		response.Fields = append(response.Fields, [2]string{string(name), string(value)})
	})
	return response, nil
}
