// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logInterval is the least time between two lines of one message: a pipeline that
// refuses, or a stranger, must not fill the log.
const logInterval = time.Minute

// maxFiles bounds of how many files it is remembered that they are XML.
const maxFiles = 1024

// limitedLog writes each message at most once in an interval, with the number of
// lines that were left out since. It holds one entry for each message there is.
type limitedLog struct {
	logger *zap.Logger

	mu    sync.Mutex // guards everything below
	lines map[string]limitedLine
	files map[string]bool // those of which it was said that they are XML
}

type limitedLine struct {
	next       time.Time
	suppressed int
}

func (l *limitedLog) warn(message string, fields ...zap.Field) {
	l.write(zapcore.WarnLevel, message, fields)
}

func (l *limitedLog) error(message string, fields ...zap.Field) {
	l.write(zapcore.ErrorLevel, message, fields)
}

func (l *limitedLog) write(level zapcore.Level, message string, fields []zap.Field) {
	suppressed, ok := l.take(message, time.Now())
	if !ok {
		return
	}
	if suppressed > 0 {
		fields = append(fields, zap.Int("suppressed", suppressed))
	}
	l.logger.Log(level, message, fields...)
}

func (l *limitedLog) take(message string, now time.Time) (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		l.lines = make(map[string]limitedLine)
	}
	last := l.lines[message]
	if now.Before(last.next) {
		last.suppressed++
		l.lines[message] = last
		return 0, false
	}
	l.lines[message] = limitedLine{next: now.Add(logInterval)}
	return last.suppressed, true
}

// firstOf tells whether a file is named for the first time.
func (l *limitedLog) firstOf(file string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.files == nil {
		l.files = make(map[string]bool)
	}
	if l.files[file] || len(l.files) >= maxFiles {
		return false
	}
	l.files[file] = true
	return true
}

// noticeXML writes once for each file that it is XML.
func (d *delivery) noticeXML(in *intake) {
	for i := range in.parts {
		if in.parts[i].kind != isXML {
			continue
		}
		if file := in.origin.fileName(); d.logger.firstOf(file) {
			d.logger.logger.Warn("This file is the XML of java.util.logging, as OCMS 10g R3 writes it; its lines are kept as they are. Configure Log4j's BasicLayout for the event log",
				zap.String("file", file))
		}
		return
	}
}
