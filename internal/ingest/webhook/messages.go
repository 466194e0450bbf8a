// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// Messages are what the log says when a request is not answered with 200: what it
// means to the sender in question, and what to do.
type Messages struct {
	OtherPath    string // 404
	Refused      string // 503, by the pipeline or the storage
	Busy         string // 503, over max_in_flight_bytes
	TooLarge     string // 413
	Unread       string // 400
	Unauthorized string // 401
	Encoding     string // 415
	NoLength     string // 411
}

// logInterval is the least time between two lines of one message: a sender that
// repeats, or a stranger, must not fill the log.
const logInterval = time.Minute

// limitedLog writes each message at most once in an interval, with the number of
// lines that were left out since the last one. It holds one entry for each
// message there is.
type limitedLog struct {
	logger *zap.Logger

	mu    sync.Mutex // guards everything below
	lines map[string]line
}

type line struct {
	next       time.Time // when the message may be written again
	suppressed int
}

func (l *limitedLog) warn(message string, fields ...zap.Field) {
	suppressed, ok := l.take(message, time.Now())
	if !ok {
		return
	}
	if suppressed > 0 {
		fields = append(fields, zap.Int("suppressed", suppressed))
	}
	l.logger.Warn(message, fields...)
}

func (l *limitedLog) take(message string, now time.Time) (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		l.lines = make(map[string]line)
	}
	last := l.lines[message]
	if now.Before(last.next) {
		last.suppressed++
		l.lines[message] = last
		return 0, false
	}
	l.lines[message] = line{next: now.Add(logInterval)}
	return last.suppressed, true
}
