// The client that driver.go drives: Go's net/http.  Replace it by yours.
package main

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"strings"
	"time"
)

const name = "net/http"

var version = strings.TrimPrefix(runtime.Version(), "go")
var features = []string{"drop", "expect-continue", "parallel", "part", "streamed", "timeout"}

// One pool for all exchanges of a case: no proxy, nothing decoded.
var pool = &http.Transport{DisableCompression: true, ExpectContinueTimeout: 5 * time.Second}

func release() {
	pool.CloseIdleConnections()
}

// exchange follows no redirect.
func exchange(asked *Asked) (*Response, error) {
	client := http.Client{
		Timeout:       asked.Timeout,
		Transport:     pool,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := requestOf(asked)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	_, reason, _ := strings.Cut(answer.Status, " ")
	response := &Response{answer.StatusCode, &reason, fieldsOf(answer.Header), nil}
	switch asked.Consume {
	case "drop":
		return response, nil
	case "part":
		response.Content = make([]byte, asked.Amount)
		_, err = io.ReadFull(answer.Body, response.Content)
	default:
		response.Content, err = io.ReadAll(answer.Body)
	}
	answer.Body.Close()
	if err != nil {
		return nil, err
	}
	return response, nil
}

func requestOf(asked *Asked) (*http.Request, error) {
	var body io.Reader
	if asked.Streamed {
		body = io.MultiReader(bytes.NewReader(asked.Body)) // its size is not known
	} else if asked.Body != nil {
		body = bytes.NewReader(asked.Body)
	}
	request, err := http.NewRequest(asked.Method, asked.URL, body)
	if err != nil {
		return nil, err
	}
	for _, one := range asked.Fields {
		request.Header.Add(one[0], one[1])
	}
	if asked.ExpectContinue {
		request.Header.Set("Expect", "100-continue")
	}
	return request, nil
}

func fieldsOf(header http.Header) [][2]string {
	fields := [][2]string{}
	for name, values := range header {
		for _, value := range values {
			fields = append(fields, [2]string{name, value})
		}
	}
	return fields
}
