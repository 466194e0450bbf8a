// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package ingest is what every receiver needs that is posted to by one kind of
// sender on one path.
//
//	server.go    the listener, and its stop in bounded time
//	handler.go   methods, sizes and status codes; the HTTP answer is the back-pressure
//	path.go      which path is meant, and what of it may be logged
//	body.go      reading bodies, of which all together are bounded in bytes
//	messages.go  what the log says, at most once a minute for each kind
//	piece.go     a body in pieces, bounded in what they become
//	outbox.go    the payloads of one piece
//
// There is no queue: a sender that is answered with 503 keeps what it has.
package ingest
