// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package listener

import (
	"log"
	"net"
	"strings"

	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/otel/limitedlog"
)

// The messages of an HTTP server's own errors.
const (
	msgAbandoned = "TLS handshake abandoned by the client, as the TCP check of a load balancer does"
	msgHandshake = "TLS handshake failed; the client's request is not read"
	msgAccept    = "Connection cannot be accepted"
	msgPanic     = "Panic while a request was served"
	msgOther     = "Fault of an HTTP connection"
)

// ErrorLog returns the ErrorLog of an http.Server. That of confighttp logs each line as an
// error with a stack trace, and anybody who reaches the port can cause such lines. This one
// logs each kind of line at most once a minute, and faults of clients as warnings.
func ErrorLog(limited *limitedlog.Logger) *log.Logger {
	return log.New(serverErrors{limited}, "", 0)
}

type serverErrors struct{ limited *limitedlog.Logger }

// maxErrorText bounds the logged text of a client's fault, in bytes.
const maxErrorText = 512

// Write implements io.Writer. net/http has no other interface for its errors than the text of
// a line.
func (e serverErrors) Write(line []byte) (int, error) {
	text := strings.TrimSuffix(string(line), "\n")
	if failure, isHandshake := strings.CutPrefix(text, "http: TLS handshake error from "); isHandshake {
		e.logHandshake(failure)
		return len(line), nil
	}
	switch {
	case strings.HasPrefix(text, "http: panic serving "):
		e.limited.Error(msgPanic, zap.String("error", text)) // with the stack trace of the panic
	case strings.HasPrefix(text, "http: Accept error: "):
		e.limited.Error(msgAccept, zap.String("error", clip(text)))
	default:
		e.limited.Warn(msgOther, zap.String("error", clip(text)))
	}
	return len(line), nil
}

// logHandshake logs a failure of the form "address: reason". Abandoned handshakes have a
// message of their own: a health check every few seconds must not hide a sender with a wrong
// certificate.
func (e serverErrors) logHandshake(failure string) {
	address, reason, _ := strings.Cut(failure, ": ")
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	message := msgHandshake
	if reason == "EOF" || strings.HasSuffix(reason, "connection reset by peer") || strings.HasSuffix(reason, "broken pipe") {
		message = msgAbandoned
	}
	e.limited.Warn(message, zap.String("client.address", address), zap.String("error", clip(reason)))
}

func clip(text string) string { return strings.ToValidUTF8(text[:min(len(text), maxErrorText)], "") }
