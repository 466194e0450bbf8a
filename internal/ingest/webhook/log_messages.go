// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

// LogMessages are the warnings about answers other than 200. Each gives the meaning of the
// answer for the sender, and the remedy. Each is logged at most once a minute.
type LogMessages struct {
	WrongPath           string // 404
	WrongMethod         string // 405
	Refused             string // 503, by the pipeline or the storage
	Busy                string // 503, over max_in_flight_bytes
	TooLarge            string // 413
	Unreadable          string // 400
	Unauthorized        string // 401
	UnsupportedEncoding string // 415
	MissingLength       string // 411
}
