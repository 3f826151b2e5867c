from tinygrad_dnn.checking.gradcheck import gradcheck as gradcheck
from tinygrad_dnn.checking.parameters import check_parameters as check_parameters
