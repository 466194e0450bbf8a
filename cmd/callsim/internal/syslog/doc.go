// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package syslog simulates the syslog of the Call Bridges with API tracing enabled: the call
// log, audit lines, and the requests of a client like Cisco TMS that schedules meetings.
// Calls, legs and spaces are those of the scenario.
//
// It has the difficulties of such logs: three date forms, priorities that contradict the
// text "user.info", container ids, processes with a number, levels with blanks or without,
// interleaved requests, parameters in chunks of 48 characters, secrets, and lines of other
// formats. [Report] is the expected result.
//
// A [Log] belongs to one goroutine. Only the TCP output waits, for a bounded time.
// log_test.go compares the written lines with the report.
package syslog
