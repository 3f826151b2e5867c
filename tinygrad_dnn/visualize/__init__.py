from tinygrad_dnn.visualize.draw import draw as draw
from tinygrad_dnn.visualize.engines import GraphvizNotFound as GraphvizNotFound
from tinygrad_dnn.visualize.explain import explain as explain
from tinygrad_dnn.visualize.picture import Picture as Picture
