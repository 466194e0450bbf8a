// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Statuses are all statuses of an answer, by the Handler or by confighttp before it.
var Statuses = [...]int{
	http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusLengthRequired, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable,
}

// statusOptions are built once, because every request needs them.
var statusOptions = func() map[int][]metric.AddOption {
	options := make(map[int][]metric.AddOption)
	for _, status := range Statuses {
		attributes := attribute.NewSet(attribute.Int("http.response.status_code", status))
		options[status] = []metric.AddOption{metric.WithAttributeSet(attributes)}
	}
	return options
}()

// CountAnswersIn returns a function for Settings.CountAnswers that adds to a counter,
// with the attribute http.response.status_code.
func CountAnswersIn(counter metric.Int64Counter) func(ctx context.Context, status int, n int64) {
	return func(ctx context.Context, status int, n int64) { counter.Add(ctx, n, statusOptions[status]...) }
}
