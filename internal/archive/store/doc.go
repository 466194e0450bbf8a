// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package store keeps calls as rows in SQL: one row for each conference, call, call leg, recording, session, track and dialog, in
// SQLite or PostgreSQL.
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
//   - a conference's row is computed anew from the rows of its trace.
//
// So a row is a function of the set of its statements. Neither order, nor
// duplicates, nor two writers make a difference (TestOrder), and a batch that is
// written again changes nothing.
//
// Which value is of which statement is in the column draft: the statements, each
// with the values alone that no later one has. A stitched record that has all of
// them clears it, which is the rule.
//
// # Writing
//
// One batch, or the batches of several requests, are one transaction: read the
// rows of their objects, merge, put the rows that changed, compute the touched
// conferences. There is one
// writer at a time: on PostgreSQL an advisory lock, on SQLite the write lock of
// the file. Nobody else has to wait: readers see the last commit.
//
// # Text
//
// A row has the texts of the wire, names of people included: that is its purpose.
// None of them is in an error text: errors name kinds, ids of spans and
// the database's own code.
package store
