// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package limitedlog writes each message to the Collector's log at most once a minute, so
// that neither a stranger nor a refusing pipeline can fill it.
//
// # Tests
//
// A table of times.
package limitedlog

import (
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// interval is the least time between two lines of one message.
const interval = time.Minute

// Logger writes each message at most once in interval, with the number of lines suppressed
// since the last one. It has one entry for each message, so messages must be constants.
type Logger struct {
	logger *zap.Logger

	mu       sync.Mutex // guards everything below
	messages map[string]messageState
}

type messageState struct {
	next       time.Time // when the next line is allowed
	suppressed int
}

// callerSkip is the number of calls between the caller of Warn or Error and zap.
const callerSkip = 2

// New returns a Logger that writes to logger. The caller in a line is that of Warn or Error.
func New(logger *zap.Logger) *Logger {
	return &Logger{logger: logger.WithOptions(zap.AddCallerSkip(callerSkip)), messages: make(map[string]messageState)}
}

// Warn logs a warning.
func (l *Logger) Warn(message string, fields ...zap.Field) {
	l.log(zapcore.WarnLevel, message, fields)
}

// Error logs an error.
func (l *Logger) Error(message string, fields ...zap.Field) {
	l.log(zapcore.ErrorLevel, message, fields)
}

func (l *Logger) log(level zapcore.Level, message string, fields []zap.Field) {
	suppressed, ok := l.allow(message, time.Now())
	if !ok {
		return
	}
	if suppressed > 0 {
		fields = append(fields, zap.Int("suppressed", suppressed))
	}
	l.logger.Log(level, message, fields...)
}

func (l *Logger) allow(message string, now time.Time) (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := l.messages[message]
	if now.Before(state.next) {
		state.suppressed++
		l.messages[message] = state
		return 0, false
	}
	l.messages[message] = messageState{next: now.Add(interval)}
	return state.suppressed, true
}
