from tinygrad_dnn.visualize.page.build import Page as Page
from tinygrad_dnn.visualize.page.build import page_of as page_of
