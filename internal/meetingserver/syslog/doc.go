// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package syslog reads the syslog of Cisco Meeting Server: lines become records,
// and the lines of an API trace become one record of the request that they describe.
//
// # The way of a line
//
//	header.go, date.go  date, host, tag, level: the forms that bridges write
//	message.go          audit, call log, ids, signs of faults
//	trace.go, form.go   the lines of API traces, put together by bridge and number
//	body.go, path.go    what a request and its response are about
//	request.go          a complete trace as a record
//
// # Order and ownership
//
// A Reader owns the open traces of all bridges, and what a bridge's own short numbers
// stand for. Lines of one source come in order. A trace ends when the root element of
// its response is closed, when its response has no body and a line of another trace
// comes, or when its time is up. The caller's clock is the only one.
//
// # Secrets
//
// No record holds a secret. A parameter's or element's name tells whether its value is
// one, so that chunks of a parameter are put together before they are looked at, and a
// chunk whose beginning is missing is withheld. A line without a date that follows one
// that ends in a secret is withheld too: it may be the rest of it.
//
// No line is dropped: a line that is not understood is a record of its own, without
// its secrets.
package syslog
