// The client that driver.go drives: Go's net/http.  Replace it by yours.
package main

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"time"
)

const name = "net/http"

var version = strings.TrimPrefix(runtime.Version(), "go")

var client = http.Client{
	Timeout:       5 * time.Second,
	Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// fetch makes a GET: no proxy, no redirect, nothing decoded.
func fetch(url string) (*Response, error) {
	answer, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	_, reason, _ := strings.Cut(answer.Status, " ")
	fields := [][2]string{}
	for name, values := range answer.Header {
		for _, value := range values {
			fields = append(fields, [2]string{name, value})
		}
	}
	return &Response{answer.StatusCode, &reason, fields, content}, nil
}
