// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package ingest is the HTTP side of receivers that are posted to by one kind
// of sender on one path: methods, sizes, status codes, and requests in flight at
// a shutdown. The HTTP answer is the back-pressure: there is no queue.
package ingest
