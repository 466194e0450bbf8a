// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// LogMessages are the warnings about answers other than 200. Each gives the meaning of the
// answer for the sender, and the remedy.
type LogMessages struct {
	WrongPath           string // 404
	Refused             string // 503, by the pipeline or the storage
	Busy                string // 503, over max_in_flight_bytes
	TooLarge            string // 413
	Unreadable          string // 400
	Unauthorized        string // 401
	UnsupportedEncoding string // 415
	MissingLength       string // 411
}

// logInterval is the least time between two lines of one message, so that repeated requests
// cannot fill the log.
const logInterval = time.Minute

// logLimiter writes each message at most once in logInterval, with the number of suppressed
// lines since the last one. It has one entry for each message.
type logLimiter struct {
	logger *zap.Logger

	mu       sync.Mutex // guards everything below
	messages map[string]messageState
}

type messageState struct {
	next       time.Time // when the next line is allowed
	suppressed int
}

func (l *logLimiter) warn(message string, fields ...zap.Field) {
	suppressed, ok := l.allow(message, time.Now())
	if !ok {
		return
	}
	if suppressed > 0 {
		fields = append(fields, zap.Int("suppressed", suppressed))
	}
	l.logger.Warn(message, fields...)
}

func (l *logLimiter) allow(message string, now time.Time) (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.messages == nil {
		l.messages = make(map[string]messageState)
	}
	state := l.messages[message]
	if now.Before(state.next) {
		state.suppressed++
		l.messages[message] = state
		return 0, false
	}
	l.messages[message] = messageState{next: now.Add(logInterval)}
	return state.suppressed, true
}
