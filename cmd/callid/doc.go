// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Command callid prints the trace and span id that belong to the id of a call,
// a call leg or another object, as docs/ids.md defines them.
//
//	callid 46d49cb4-8171-4abc-97f5-b88035b1da0a
//	callid -kind call_leg fc9c85ca-8c41-4a1a-9252-b16977d1e4e1 9cfdb064-3ae9-4b08-a003-6478187f375f
//	grep -o 'call id="[^"]*' post.xml | cut -d '"' -f 2 | callid -kind call -json -
//
// Without -kind it prints a table of all kinds, because an id does not contain the
// kind of its object. callid computes the ids and connects to nothing.
package main
