// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// output takes lines in one form.
type output interface {
	// write takes a line of a bridge, without its line break.
	write(bridge int, file, wire string) error
	close() error
}

// logFile has the lines of all bridges, as a syslog server writes them.
type logFile struct{ file *os.File }

func openFile(path string) (*logFile, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	return &logFile{file}, err
}

func (f *logFile) write(_ int, file, _ string) error {
	_, err := f.file.WriteString(file + "\n")
	return err
}

func (f *logFile) close() error { return f.file.Close() }

// datagrams sends each line as one datagram, without knowing whether it arrives.
type datagrams struct{ connection net.Conn }

func openDatagrams(address string) (*datagrams, error) {
	connection, err := net.DialTimeout("udp", address, dialTimeout) //nolint:noctx // at the start
	return &datagrams{connection}, err
}

func (d *datagrams) write(_ int, _, wire string) error {
	_, _ = d.connection.Write([]byte(wire)) // a refused datagram is a lost one
	return nil
}

func (d *datagrams) close() error { return d.connection.Close() }

const (
	dialTimeout  = time.Second
	writeTimeout = 5 * time.Second
)

// stream sends the lines of a bridge by TCP: those of every second bridge with their
// length in front, the others with a line break behind them (RFC 6587). While there is no
// connection, lines are lost, as a bridge loses them.
type stream struct {
	address     string
	connections []net.Conn
	retryAt     []time.Time
	unsent      int
}

func openStream(address string, bridges int) *stream {
	return &stream{address: address, connections: make([]net.Conn, bridges), retryAt: make([]time.Time, bridges)}
}

func (s *stream) write(bridge int, _, wire string) error {
	framed := wire + "\n"
	if bridge%2 == 1 {
		framed = fmt.Sprintf("%d %s", len(wire), wire)
	}
	if !s.connect(bridge) {
		s.unsent++
		return nil
	}
	connection := s.connections[bridge]
	_ = connection.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := connection.Write([]byte(framed)); err != nil {
		s.unsent++
		_ = connection.Close()
		s.connections[bridge] = nil
	}
	return nil
}

// connect tries again at most once in a second.
func (s *stream) connect(bridge int) bool {
	if s.connections[bridge] != nil {
		return true
	}
	if time.Now().Before(s.retryAt[bridge]) {
		return false
	}
	connection, err := net.DialTimeout("tcp", s.address, dialTimeout) //nolint:noctx // bounded by its timeout
	if err != nil {
		s.retryAt[bridge] = time.Now().Add(time.Second)
		return false
	}
	s.connections[bridge] = connection
	return true
}

func (s *stream) close() (err error) {
	for _, connection := range s.connections {
		if connection != nil {
			err = errors.Join(err, connection.Close())
		}
	}
	return err
}
