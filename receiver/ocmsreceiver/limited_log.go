// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logInterval is the shortest time between two equal messages: neither a refusing pipeline
// nor a stranger may fill the log.
const logInterval = time.Minute

// maxXMLFiles is the largest number of XML files that are reported.
const maxXMLFiles = 1024

// limitedLog writes each message at most once in logInterval, with the number of messages that
// it suppressed. It has an entry for each message; all messages are constants.
type limitedLog struct {
	logger *zap.Logger

	mu       sync.Mutex // guards everything below
	messages map[string]limitedMessage
	xmlFiles map[string]bool // files in XML that were reported
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

// markXMLFile reports whether a file has not been reported before.
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

// warnAboutXML logs one warning for each file in XML.
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
