from tinygrad_dnn.checking.backprop import check_backprop as check_backprop
from tinygrad_dnn.checking.gradcheck import gradcheck as gradcheck
from tinygrad_dnn.checking.gradcheck import gradgradcheck as gradgradcheck
from tinygrad_dnn.checking.parameters import check_parameters as check_parameters
from tinygrad_dnn.checking.plain import check_gradient as check_gradient
from tinygrad_dnn.checking.plain import check_jvp as check_jvp
from tinygrad_dnn.checking.plain import check_vjp as check_vjp
from tinygrad_dnn.checking.tap import tap as tap
