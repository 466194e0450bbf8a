// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package page shows a call archive to people: a list of meetings with
// filters, a timeline of each, and an overview.
//
// Pages are made on the server by html/template from templates/, with the style
// and the script of assets/ beside them; nothing comes from elsewhere, and there
// is no build step. Without JavaScript everything works but the update of what
// runs. The script asks for the part of the page that changes, every few seconds,
// as long as somebody looks at it.
//
// # What strangers wrote
//
// Names, addresses and ids are typed by whoever calls. They are text of elements
// and values of form fields, never an element, an attribute's name, an address
// or a style (TestHostile), stand in <bdi> so that they cannot turn what is beside
// them round, and are cut by the style, not by the data. The policy of the pages
// lets run and look only what is in assets/.
//
// # Bounds
//
// Requests are GET and HEAD, parameters have limits, queries a time-out, and only
// so many pages are made at once. One page is one read-only state of the archive.
// Errors tell the reader the next step, and nothing of the archive's inside.
//
//	handler.go    routes, headers, bounds, errors
//	query.go      parameters: the filter, the place in a list
//	lists.go      meetings, legs, recording sessions
//	trace.go      the page of one trace; timeline.go, bars.go its drawing
//	overview.go   the overview
//	words.go      reasons and states in plain words
package page
