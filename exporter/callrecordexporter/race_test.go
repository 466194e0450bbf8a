// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package callrecordexporter

const raceEnabled = true
