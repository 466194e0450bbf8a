// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package syslog parses the syslog of Cisco Meeting Server. Each line becomes a record; the
// lines of an API trace become one record of the request that they describe. The package is
// pure: the caller passes the time of arrival.
//
// # The way of a line
//
//	header.go, date.go  date, host, tag and level, in the forms that bridges write
//	message.go          audit, calls, ids, faults
//	trace.go            the lines of API traces, joined by bridge and number
//	requestbody.go      the parameters of a request, joined from chunks
//	responsebody.go     the object in a response
//	path.go             the objects in a path
//	request.go          the record of a complete trace
//	bridge.go           the objects that local numbers and internal ids identify
//	secrets.go          removes secrets
//
// # State and order
//
// A Reader owns the open traces of all bridges, and the objects that their local numbers
// identify. Lines of one sender must come in order. A trace ends with the root element of
// its response, with a line of another trace if its response has no body, or at its
// deadline. Nothing waits: the caller calls Advance at Next.
//
// # Secrets
//
// A record contains no secret. The name of a parameter or element decides whether its value
// is a secret. Chunks of a parameter are therefore joined first, and a chunk without its
// beginning is withheld. A line without a date behind a line that ends in a secret is
// withheld too, because it may be the rest of the secret.
//
// No line is dropped: a line of an unknown form becomes a record without its secrets.
//
// # Testing
//
// TestGolden reads the fixtures (-update writes the results); model_test.go interleaves
// requests at random and compares with a model; FuzzReader accounts for each line, and
// FuzzSecrets searches the records for secrets.
package syslog
