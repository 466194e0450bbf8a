// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package page shows a call archive to people: lists of meetings, legs, persons and
// rooms with filters, a timeline of each meeting, and an overview.
//
// html/template makes the pages on the server from templates/; assets/ holds the style
// and the script. Nothing is loaded from elsewhere, and there is no build step. Without
// JavaScript only the live update is missing. The script requests the changing part of a
// page every few seconds while the page is visible.
//
// # Untrusted values
//
// Callers type names, addresses and ids. The pages write them as text of elements and
// values of form fields, never as an element, an attribute's name, an address or a style
// (TestHostile). They are in <bdi>, so that they cannot reverse the text beside them; the
// style truncates them, not the data. The content security policy allows only assets/.
//
// # Bounds
//
// Requests are GET and HEAD. Parameters have limits, queries have a timeout, and few pages
// are made at once. One page reads one read-only state of the archive, and waits only for
// the database. Error texts tell the reader the next step, and nothing about the archive.
//
// # Files
//
//	handler.go    routes, headers, bounds, errors
//	query.go      parameters: the filter, the place in a list
//	lists.go      meetings, legs, recording sessions
//	trace.go      the page of one trace; timeline.go, bars.go its drawing
//	overview.go   the overview
//	words.go      reasons and states in plain words
package page
