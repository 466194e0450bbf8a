// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package accounting simulates an Oracle OCMS as a SIP proxy in front of the Call Bridges. It
// writes the accounting events of the legs' SIP dialogs to an event.log, as Log4j's
// BasicLayout does, one event per line.
//
// It has the difficulties of such files: attributes in any order, names with commas, with
// and without quotes, Latin-1, challenges, retransmissions, re-INVITEs, forks, lost BYEs,
// events of applications, lines that are not events, and rotation. [EventLog] is the
// expected result.
//
// A [Proxy] belongs to one goroutine and waits for the file only. proxy_test.go compares
// the file with the expected result.
package accounting
