// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package store keeps calls as rows in SQL: one row for each conference, call, call leg,
// recording, session, track and dialog, in SQLite or PostgreSQL.
//
// # One row, many statements
//
// A row is made of statements: the start, update and end records of an object, and the
// stitched record that follows its end. Statements
// have an order: start, update, end, stitched; within one of these the sender's
// number, then time ([Revision]). Of stitched records those that have seen more of
// the end come later. Rows are merged, never added to:
//
//   - a column has the value of the last statement that has one: no statement removes
//     a value,
//   - times and outcome follow from all statements together: an end record amends a
//     stitched record that has not seen the end,
//   - a conference's row is a function of the rows of its trace. A write computes it
//     anew if a column changed that it depends on (table.inputs), and otherwise sets
//     its last_heard_at alone.
//
// So a row is a function of the set of its statements. Neither order, nor
// duplicates, nor two writers make a difference (TestOrder), and a batch that is
// written again changes nothing.
//
// The column draft holds the statements, each without the values that a later one has
// too. A stitched record that has all values clears it, which is the normal case.
//
// # Writing
//
// One batch, or the batches of several requests, are one transaction: read the stored rows of
// their objects, merge, put the rows that changed, compute the conferences that depend on
// them. There is one writer at a time: on PostgreSQL an advisory lock, on SQLite the write
// lock of the file. Writers wait for each other in Store.takeTurn; readers never wait and see
// the last commit.
//
// # Text
//
// A row holds the texts of the records, names of people included. No error text has any
// of them: errors name kinds, ids of spans and the database's own code.
package store
