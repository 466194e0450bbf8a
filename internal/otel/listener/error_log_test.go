// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package listener

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/legato-otel/legato/internal/otel/limitedlog"
)

// Each kind of line is logged once; the second one of a kind is suppressed.
func TestErrorLog(t *testing.T) {
	core, observed := observer.New(zap.DebugLevel)
	log := ErrorLog(limitedlog.New(zap.New(core)))
	for _, row := range []struct {
		line, message string
		level         zapcore.Level
		address, text string
	}{
		{"http: TLS handshake error from 192.0.2.1:50000: EOF", msgAbandoned, zap.WarnLevel, "192.0.2.1", "EOF"},
		{"http: TLS handshake error from 192.0.2.1:50001: read tcp 10.0.0.1:443->192.0.2.1:50001: read: connection reset by peer", "", 0, "", ""},
		{"http: TLS handshake error from [2001:db8::1]:50000: remote error: tls: bad certificate", msgHandshake, zap.WarnLevel, "2001:db8::1", "remote error: tls: bad certificate"},
		{"http: TLS handshake error from 192.0.2.2:50000: client sent an HTTP request to an HTTPS server", "", 0, "", ""},
		{"http: Accept error: accept tcp [::]:8080: accept4: too many open files; retrying in 5ms", msgAccept, zap.ErrorLevel, "", "http: Accept error: accept tcp [::]:8080: accept4: too many open files; retrying in 5ms"},
		{"http: panic serving 192.0.2.1:50000: fault\ngoroutine 1 [running]", msgPanic, zap.ErrorLevel, "", "http: panic serving 192.0.2.1:50000: fault\ngoroutine 1 [running]"},
		{"http2: " + strings.Repeat("a", 1000), msgOther, zap.WarnLevel, "", "http2: " + strings.Repeat("a", maxErrorText-len("http2: "))},
		{"http: URL query contains semicolon", "", 0, "", ""},
	} {
		log.Print(row.line)
		lines := observed.TakeAll()
		if row.message == "" {
			assert.Empty(t, lines, row.line)
			continue
		}
		if !assert.Len(t, lines, 1, row.line) {
			continue
		}
		fields := lines[0].ContextMap()
		assert.Equal(t, row.message, lines[0].Message)
		assert.Equal(t, row.level, lines[0].Level)
		assert.Equal(t, row.text, fields["error"])
		if row.address != "" {
			assert.Equal(t, row.address, fields["client.address"])
		}
	}
}
