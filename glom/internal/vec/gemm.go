package vec

import (
	"unsafe"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
)

// Matrix is (Rows, Cols), row-major, with rows Stride apart.
type Matrix[T Float] struct {
	Rows, Cols, Stride int
	Data               []T
}

// Mat returns data as a matrix whose rows lie side by side.
func Mat[T Float](data []T, rows, cols int) Matrix[T] {
	return Matrix[T]{Rows: rows, Cols: cols, Stride: cols, Data: data}
}

// Strided returns data as a matrix whose rows are stride apart.
func Strided[T Float](data []T, rows, cols, stride int) Matrix[T] {
	return Matrix[T]{Rows: rows, Cols: cols, Stride: stride, Data: data}
}

// The sides of a product that are transposed.
const (
	No  = blas.NoTrans
	Yes = blas.Trans
)

// Gemm computes c = alpha*op(a)*op(b) + keep*c through gonum's blas32 or blas64.
func Gemm[T Float](tA, tB blas.Transpose, alpha T, a, b Matrix[T], keep T, c Matrix[T]) {
	if single[T]() {
		blas32.Gemm(tA, tB, float32(alpha), a.general(), b.general(), float32(keep), c.general())
		return
	}
	blas64.Gemm(tA, tB, float64(alpha), a.general64(), b.general64(), float64(keep), c.general64())
}

func (m Matrix[T]) general() blas32.General {
	return blas32.General{Rows: m.Rows, Cols: m.Cols, Stride: m.Stride, Data: f32(m.Data)}
}

func (m Matrix[T]) general64() blas64.General {
	return blas64.General{Rows: m.Rows, Cols: m.Cols, Stride: m.Stride, Data: *(*[]float64)(unsafe.Pointer(&m.Data))}
}
