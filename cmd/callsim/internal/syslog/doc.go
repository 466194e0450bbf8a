// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package syslog plays the syslog of the Call Bridges, with the API tracing switched on:
// the call log, audit lines, and the requests of a client like Cisco TMS that schedules
// meetings. Calls, legs and spaces are those of the story.
//
// It has what makes such logs hard to read: three date forms, priorities beside the text
// "user.info" that say something else, container ids, processes with a number, levels with
// blanks or without, requests that interleave, parameters in chunks of 48 characters,
// secrets, and lines that are none. Its [Report] says what must come out.
package syslog
