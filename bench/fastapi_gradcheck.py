"""The obvious rival: a gradient check service of FastAPI, uvicorn and torch.autograd.gradcheck.

It takes the same requests as gradcheckd (dense layers with tanh or relu, softmax, categorical cross-entropy, labels)
and answers with a verdict. One process; the driver starts one a core and deals connections out evenly. Handlers are
coroutines: threads would only quarrel about Python's lock.
"""
from typing import List

from fastapi import FastAPI
from pydantic import BaseModel
from torch_network import HIDDEN, loss, parameters, torch

app = FastAPI()


class Layer(BaseModel):
    type: str
    units: int
    activation: str


class Model(BaseModel):
    input_shape: List[int]
    layers: List[Layer]
    cost: str
    seed: int = 0


class Data(BaseModel):
    x: List[List[float]]
    y: List[int]


class Check(BaseModel):
    model: Model
    data: Data


@app.post("/v1/gradient-checks")
async def gradient_check(check: Check):
    model = check.model
    hidden = model.layers[0].activation
    assert model.cost == "categorical_crossentropy" and model.layers[-1].activation == "softmax"
    assert hidden in HIDDEN and all(layer.activation == hidden for layer in model.layers[:-1])
    tensors = parameters([model.input_shape[0]] + [layer.units for layer in model.layers], model.seed)
    x = torch.tensor(check.data.x, dtype=torch.float64)
    labels = torch.tensor(check.data.y)
    passed = torch.autograd.gradcheck(lambda *theta: loss(theta, hidden, x, labels), tensors, raise_exception=False)
    return {"verdict": "pass" if passed else "fail"}
