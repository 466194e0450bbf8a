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

// maxXMLFiles bounds of how many files it is remembered that they are XML.
const maxXMLFiles = 1024

// limitedLog writes each message at most once in an interval, with the number of
// lines that were left out since. It holds one entry for each message there is.
type limitedLog struct {
	logger *zap.Logger

	mu       sync.Mutex // guards everything below
	messages map[string]limitedMessage
	xmlFiles map[string]bool // those of which it was said that they are XML
}

type limitedMessage struct {
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
	suppressed, ok := l.allow(message, time.Now())
	if !ok {
		return
	}
	if suppressed > 0 {
		fields = append(fields, zap.Int("suppressed", suppressed))
	}
	l.logger.Log(level, message, fields...)
}

func (l *limitedLog) allow(message string, now time.Time) (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.messages == nil {
		l.messages = make(map[string]limitedMessage)
	}
	last := l.messages[message]
	if now.Before(last.next) {
		last.suppressed++
		l.messages[message] = last
		return 0, false
	}
	l.messages[message] = limitedMessage{next: now.Add(logInterval)}
	return last.suppressed, true
}

// markXMLFile tells whether a file is named for the first time.
func (l *limitedLog) markXMLFile(file string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.xmlFiles == nil {
		l.xmlFiles = make(map[string]bool)
	}
	if l.xmlFiles[file] || len(l.xmlFiles) >= maxXMLFiles {
		return false
	}
	l.xmlFiles[file] = true
	return true
}

// warnAboutXML writes once for each file that it is XML.
func (d *delivery) warnAboutXML(in *batch) {
	for i := range in.lines {
		if in.lines[i].kind != isXML {
			continue
		}
		if file := in.origin.filePath(); d.logger.markXMLFile(file) {
			d.logger.logger.Warn("This file is the XML of java.util.logging, as OCMS 10g R3 writes it; its lines are kept as they are. Configure Log4j's BasicLayout for the event log",
				zap.String("file", file))
		}
		return
	}
}
