// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package consume

import (
	"errors"
	"reflect"

	"go.opentelemetry.io/collector/consumer/consumererror"
)

// permanentType is the type of consumererror's permanent errors, which that
// package does not export.
var permanentType = reflect.TypeOf(consumererror.NewPermanent(errors.New("permanent")))

// IsPermanent reports whether sending the same data again is useless: every
// leaf of err's tree lies at or below an error of consumererror.NewPermanent.
// It is false for nil. An error that carries the data which was not taken, such
// as consumererror.Logs, counts by its cause.
func IsPermanent(err error) bool {
	if err == nil {
		return false
	}
	if reflect.TypeOf(err) == permanentType {
		return true
	}
	switch wrapper := err.(type) { //nolint:errorlint // each node of the tree is looked at alone
	case interface{ Unwrap() error }:
		return IsPermanent(wrapper.Unwrap())
	case interface{ Unwrap() []error }:
		return everyPermanent(wrapper.Unwrap())
	default:
		return false
	}
}

func everyPermanent(errs []error) bool {
	for _, err := range errs {
		if !IsPermanent(err) {
			return false
		}
	}
	return len(errs) > 0
}
